"""A port on loopback for a server that a test or a check starts."""
import random
import socket


def free_port():
    """Free now, and none of those that the system gives to whoever asks for any: a server takes its own only seconds later,
    and again when it is started again."""
    while True:
        port = random.randint(12000, 32000)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
