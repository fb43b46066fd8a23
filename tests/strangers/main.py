"""Runs every stranger, and counts them as ./test counts."""

import sys
import unittest

suite = unittest.TestSuite()
for module in ("corners", "guests"):
    suite.addTests(unittest.defaultTestLoader.loadTestsFromName(module))
result = unittest.TextTestRunner(verbosity=2).run(suite)
failed = len(result.failures) + len(result.errors)
passed = result.testsRun - failed
verdict = "ok" if result.wasSuccessful() and passed > 0 else "FAILED"
print(f"test result: {verdict}. {passed} passed; {failed} failed;", flush=True)
sys.exit(verdict != "ok")
