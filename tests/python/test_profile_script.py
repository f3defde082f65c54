"""Scripts under `hypostyle profile` behave as without it: arguments, exit codes, output, input, processes, Ctrl-C."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hypostyle_profile.child import command

FOLDER = str(Path(__file__).parents[2] / "python")


def python(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    started = [sys.executable, *map(str, arguments)]
    return subprocess.run(started, capture_output=True, text=True, check=False, timeout=120, **options)


def profiled(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    return python("-m", "hypostyle", "profile", *arguments, **options)


SCRIPTS = {
    "arguments": "import sys; print(sys.argv[1:], __name__, __file__, sys.path[0])",
    "exit": "import sys; print('out'); sys.exit(7)",
    "message": "import sys; sys.exit('what went wrong')",
    "error": "def f():\n    raise ValueError('x')\n"
    "try:\n    f()\nexcept ValueError as e:\n    raise KeyError(1) from e\n",
    "syntax": "x = (\n",
    "atexit": "import atexit, threading, time\natexit.register(print, 'bye')\n"
    "threading.Thread(target=lambda: (time.sleep(0.2), print('thread'))).start()\nprint('end')\n",
    "leave": "import os, sys\nprint('out')\nsys.stdout.flush()\nos._exit(5)\n",
    "input": "import sys\nfor line in sys.stdin:\n    print(line.strip()[::-1])\n",
    "fork": "import os, sys\npid = os.fork()\nif pid == 0:\n    sys.exit(3)\n"
    "print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n",
    "pool": "import multiprocessing as mp\ndef double(x):\n    return 2 * x\nif __name__ == '__main__':\n"
    "    with mp.get_context('spawn').Pool(1) as pool:\n        print(pool.map(double, [1, 2]))\n",
    "pickle": "import pickle\nclass A:\n    pass\nprint(type(pickle.loads(pickle.dumps(A()))) is A)\n",
    "main": "import pkgutil\nprint(__name__, __spec__, __package__, __cached__, type(__loader__).__name__, __doc__)\n"
    "print(pkgutil.get_data('__main__', 'main.py')[:6])\n",
    "recursion": "import sys\nsys.setrecursionlimit(9_000)\ndef f(n):\n    return f(n + 1)\n"
    "try:\n    f(0)\nexcept RecursionError as error:\n    print(error)\n",
    "signals": "import os, signal\nsignal.signal(signal.SIGUSR1, lambda n, f: print('got', n, f.f_lineno))\n"
    "os.kill(os.getpid(), signal.SIGUSR1)\nprint(signal.getsignal(signal.SIGINT) is signal.default_int_handler)\n",
    "tasks": "import asyncio\nasync def one(n):\n    await asyncio.sleep(0.01)\n    return n\n"
    "async def main():\n    print(await asyncio.gather(*(one(n) for n in range(3))))\nasyncio.run(main())\n",
    "sibling": "import os, sys\nos.chdir('/')\nimport beside\n"
    "print(beside.VALUE, os.getcwd(), __file__ == sys.argv[0])\n",
    "skript ü": "print(__file__)\nraise RuntimeError('ä')\n",
    "empty": "",
    "killed": "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n",
}


def in_child(script: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a script in the process that the command starts for it."""
    settings = {
        "name": str(script),
        "arguments": list(arguments),
        "is_module": False,
        "hot": [],
        "interval": 0.005,
        "to": str(script.with_suffix(".json")),
    }
    return python(*command(FOLDER, settings), **options)


@pytest.mark.parametrize("name", SCRIPTS)
def test_output_errors_and_exit_code_are_those_of_python(name: str, tmp_path: Path) -> None:
    script = tmp_path / f"{name}.py"
    script.write_text(SCRIPTS[name], encoding="utf-8")
    (tmp_path / "beside.py").write_text("VALUE = 3\n")
    plain = python(script, "a", "--json", "b c", input="abc\ndef\n")
    found = in_child(script, "a", "--json", "b c", input="abc\ndef\n")
    assert (found.stdout, found.stderr, found.returncode) == (plain.stdout, plain.stderr, plain.returncode)
    assert script.with_suffix(".json").exists() is (name not in ("syntax", "killed"))


@pytest.mark.parametrize("name", ["exit", "input", "killed"])
def test_the_command_passes_them_on(name: str, tmp_path: Path) -> None:
    script = tmp_path / f"{name}.py"
    script.write_text(SCRIPTS[name])
    plain = python(script, input="abc\ndef\n")
    found = profiled(script, input="abc\ndef\n")
    expected = plain.returncode if plain.returncode >= 0 else 128 - plain.returncode
    assert (found.stdout, found.returncode) == (plain.stdout, expected), found.stderr
    assert ("killed by SIGTERM" in found.stderr) is (name == "killed")


def test_a_module_is_run_as_python_runs_it(tmp_path: Path) -> None:
    package = tmp_path / "tool"
    package.mkdir()
    (package / "__init__.py").write_text("")
    main = "import sys\nfrom . import part\nprint(sys.argv[1:], __package__, __spec__.name)\n"
    (package / "__main__.py").write_text(main)
    (package / "part.py").write_text("")
    where = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}}
    plain, found = python("-m", "tool", "--x", **where), profiled("-m", "tool", "--x", **where)
    assert plain.stdout
    assert (found.stdout, found.returncode) == (plain.stdout, plain.returncode), found.stderr


@pytest.mark.parametrize("is_archive", [False, True])
def test_a_folder_is_run_as_python_runs_it(is_archive: bool, tmp_path: Path) -> None:
    folder = tmp_path / "tool"
    folder.mkdir()
    main = "import sys, part\nprint(sys.argv, __package__, __spec__.name, sys.path[0], __file__)\n"
    (folder / "__main__.py").write_text(main)
    (folder / "part.py").write_text("")
    given = Path(shutil.make_archive(str(folder), "zip", folder)) if is_archive else folder
    plain, found = python(given, "x"), in_child(given, "x")
    assert plain.stdout
    assert (found.stdout, found.stderr, found.returncode) == (plain.stdout, plain.stderr, plain.returncode)


def test_ctrl_c_prints_what_is_known(tmp_path: Path) -> None:
    script = tmp_path / "long.py"
    script.write_text("import time\nprint('begun', flush=True)\ntime.sleep(60)\n")
    started = [sys.executable, "-m", "hypostyle", "profile", str(script)]
    process = subprocess.Popen(
        started, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "KeyboardInterrupt" in errors
    assert "long.py:3" in errors
    assert "interrupted" in errors


def test_the_script_gets_no_modules_of_the_profiler(tmp_path: Path) -> None:
    script = tmp_path / "modules.py"
    names = "('polars', 'hypostyle.', 'numpy')"
    script.write_text(f"import sys\nprint([m for m in sys.modules if m.startswith({names})])\n")
    assert in_child(script).stdout == "[]\n"


def test_wrong_options_are_errors(tmp_path: Path) -> None:
    assert profiled().returncode == 2
    missing = profiled(tmp_path / "none.py")
    assert missing.returncode == 2
    assert "none.py" in missing.stderr
    wrong = profiled("--fail-over", "lots", tmp_path / "none.py")
    assert wrong.returncode == 2
    assert 'got "lots"' in wrong.stderr
