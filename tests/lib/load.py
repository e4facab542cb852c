"""Pairs and groups that talk all the while (hongyan-probe load), judged from what they saw."""
import json
import signal
import subprocess
import time

import lab_check
from cluster import BIN


class Load:
    def __init__(self, cluster, tmp_path, rate=200):
        self.out = tmp_path / "load.json"
        self.history = tmp_path / "load.history"
        self.process = subprocess.Popen(
            [str(BIN / "hongyan-probe"), "load", "--cluster", str(cluster.dir / "cluster.json"),
             "--pairs", "8", "--groups", "3", "--members", "8", "--rate", str(rate),
             "--seconds", "1200", "--reads", "20", "--json", str(self.out), "--history", str(self.history)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        cluster.children = (*cluster.children, self.process)
        time.sleep(1.0)  # it says nothing while it runs

    def finish(self, failures=True):
        """Stop sending, let it settle, and check. failures: requests may have failed; what was
        acknowledged is there in any case."""
        assert self.process.poll() is None, self.process.communicate()[0][-3000:]
        self.process.send_signal(signal.SIGINT)
        text, _ = self.process.communicate(timeout=180)
        result = json.loads(self.out.read_text()) if self.out.exists() else None
        assert self.process.returncode == 0 and result, (result, text[-3000:])
        violations = lab_check.check(lab_check.load(self.history))
        assert violations == [], violations[:20]
        assert result["acked"] > 0, result
        assert failures or (result["failed"], result["unknown"]) == (0, 0), result
        return result
