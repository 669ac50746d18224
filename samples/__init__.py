"""The auditor at work, for tests and tools alike: facts in one line, the cases of the rules, notices. Never shipped."""
