"""Python modules of proto/client.proto, made anew for this process. Import this before client or cluster."""
import pathlib
import subprocess
import sys
import tempfile

GENERATED = pathlib.Path(tempfile.mkdtemp(prefix="hy-pb-"))
subprocess.run(["protoc", f"--python_out={GENERATED}", f"-I{pathlib.Path(__file__).parents[2] / 'proto'}", "client.proto"],
               check=True)
sys.path.insert(0, str(GENERATED))
