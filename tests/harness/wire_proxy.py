"""A loopback proxy that counts the round trips of each connection to a database server.

A round trip is a client that speaks after the server has spoken. What the client sends in several pieces before the server
answers is one. `before_send(connection, data)`, when given, sees each piece that the client sends before the server does;
True cuts the connection instead of passing it on, bytes are passed on in its place.
"""
import selectors
import socket
import threading


class Connection:
    def __init__(self, number):
        self.number = number  # 1 for the first that was made
        self.round_trips = 0
        self.client_spoke_last = False


class WireProxy:
    def __init__(self, host, port, before_send=None):
        self.server = (host, int(port))
        self.before_send = before_send
        self.connections = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def round_trips(self):
        return sum(connection.round_trips for connection in self.connections)

    def reset(self):
        self.connections = []

    def close(self):
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            connection = Connection(len(self.connections) + 1)
            self.connections.append(connection)
            threading.Thread(target=self._pass, args=(connection, client), daemon=True).start()

    def _pass(self, connection, client):
        with client, socket.create_connection(self.server) as server, selectors.DefaultSelector() as ready:
            for side, other in ((client, server), (server, client)):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                ready.register(side, selectors.EVENT_READ, other)
            try:
                while self._pass_some(connection, client, ready):
                    pass
            except OSError:
                pass  # one side is gone; the other is closed with it

    def _pass_some(self, connection, client, ready):
        for key, _ in ready.select():
            data = key.fileobj.recv(1 << 16)
            if not data:
                return False
            if key.fileobj is client:
                connection.round_trips += not connection.client_spoke_last
                answer = self.before_send and self.before_send(connection, data)
                if answer is True:
                    return False
                data = answer or data
            connection.client_spoke_last = key.fileobj is client
            key.data.sendall(data)
        return True
