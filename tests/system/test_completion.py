"""The completions, in the shells that they are for: what each offers for a line that somebody is typing."""
import os
import pty
import shutil
import subprocess

import pytest

# A script that is sourced by an interactive zsh, which then gets the line and a TAB.
ZSH = r"""
PS1=READY
fpath=("$ZDOTDIR" $fpath)
autoload -Uz compinit; compinit -u -D
[[ -n $SOURCED ]] && source "$ZDOTDIR/_kedge"
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
  local -a hits; builtin compadd -A hits "$@"
  (( $#hits )) && print -rl -- $hits >>"$ZDOTDIR/out"
  builtin compadd "$@"
}
finish() { exit 0 }
comppostfuncs=(finish)
bindkey '^I' complete-word
"""

BASH = r"""
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _kedge
printf '%s\n' "${COMPREPLY[@]}"
"""


def in_bash(kedge, script, line):
    words = line.replace("=", " = ").split()
    if line[-1] in " =":
        words.append("")
    return subprocess.run(["bash", "-c", BASH, "bash", script, *words], cwd=kedge.path("place"), capture_output=True, text=True,
                          check=True).stdout.splitlines()


def in_fish(kedge, script, line):
    run = subprocess.run(["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", script, line], cwd=kedge.path("place"),
                         env=kedge.environment, capture_output=True, text=True, check=True)
    assert run.stderr == ""
    return [answer.split("\t")[0].rstrip("/").split("=")[-1] for answer in run.stdout.splitlines()]


def in_zsh(kedge, script, line, sourced=True):
    folder = os.path.dirname(script)
    shutil.copy(script, os.path.join(folder, "_kedge"))
    for name, text in ((".zshrc", ZSH), ("out", "")):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(kedge.path("place"))
        os.execvpe("zsh", ["zsh", "-d", "-i"], {**kedge.environment, "ZDOTDIR": folder, "TERM": "dumb", "SOURCED": "1" if sourced else ""})
    seen, typed = b"", False
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            break
        if not data:
            break
        seen += data
        if b"READY" in seen and not typed:
            os.write(terminal, line.encode() + b"\t")
            typed = True
    os.waitpid(pid, 0)
    os.close(terminal)
    with open(os.path.join(folder, "out"), encoding="utf-8") as file:
        return [answer.replace("\\ ", " ") for answer in file.read().splitlines()]


SHELLS = {"bash": in_bash, "fish": in_fish, "zsh": in_zsh}
PLACE = {"a file.sql", "migrate"}  # what lies there: a file, and a folder that is called as a command
MIGRATE = {"up", "down", "status", "create", "version", "reset", "refresh", "plan", "lint", "verify", "redo", "force", "repair", "baseline",
           "import"}
LINES = [
    # the line, what is offered, what is not
    ("kedge ", {"backup", "migrate", "help"}, PLACE - {"migrate"} | {"db:backup"}),
    ("kedge mig", {"migrate"}, {"backup"}),
    ("kedge --", {"--config", "--help", "--version"}, {"--steps"}),
    ("kedge --config ", PLACE, {"backup"}),
    ("kedge --config x mig", {"migrate"}, {"backup"}),
    ("kedge --config x migrate re", {"reset", "refresh", "redo", "repair"}, {"restore", "up"}),
    ("kedge migrate ", MIGRATE, PLACE),
    ("kedge migrate --dry-run u", {"up"}, {"undo"}),
    ("kedge migrate up ", PLACE, MIGRATE),
    ("kedge migrate up --", {"--backup", "--wait"}, {"--steps", "--batch"}),
    ("kedge migrate down --", {"--steps", "--batch"}, {"--exit-code"}),
    ("kedge migrate force --status ", {"applied", "rollback"}, {"success"}),
    ("kedge migrate force --status=", {"applied", "rollback"}, {"success"}),
    ("kedge list --status ", {"success", "deleting"}, {"applied"}),
    ("kedge migrate lint --dialect my", {"mysql"}, {"sqlite"}),
    ("kedge backup ", PLACE, MIGRATE),
    ("kedge backup migrate ", PLACE, MIGRATE),
    ("kedge completion ", {"bash", "zsh", "fish"}, PLACE),
    ("kedge completion zsh ", set(), {"bash", "zsh", "fish"}),
    ("kedge help m", {"migrate", "man"}, {"backup"}),
]


def offered(kedge, shell, line, **how):
    if not shutil.which(shell):
        pytest.skip(f"needs {shell}")
    os.makedirs(kedge.path("place", "migrate"), exist_ok=True)
    with open(kedge.path("place", "a file.sql"), "w", encoding="utf-8"):
        pass
    folder = kedge.path("script")
    os.makedirs(folder, exist_ok=True)
    script = os.path.join(folder, "completion")
    with open(script, "w", encoding="utf-8") as file:
        file.write(kedge("completion", shell).stdout)
    return SHELLS[shell](kedge, script, line, **how)


@pytest.mark.parametrize("shell", sorted(SHELLS))
@pytest.mark.parametrize("line,there,not_there", LINES, ids=[line for line, _, _ in LINES])
def test_what_is_offered(kedge, shell, line, there, not_there):
    answers = offered(kedge, shell, line)
    assert there <= set(answers), answers
    assert not not_there & (set(answers) - there), answers
    assert len(answers) == len(set(answers)) or PLACE <= set(answers), answers


def test_zsh_finds_it_in_its_own_folder(kedge):
    assert offered(kedge, "zsh", "kedge migrate u", sourced=False) == ["up"]


def test_bash_completes_at_the_prompt(kedge):
    """A folder that is called as a command gets no slash behind it when the command is meant."""
    assert offered(kedge, "bash", "kedge mig") == ["migrate"]
    code = f"source {kedge.path('script', 'completion')}; complete -p kedge"
    assert subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True).stdout == "complete -F _kedge kedge\n"
