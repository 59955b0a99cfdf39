"""Which cameras this worker holds, and how they move from one worker to another."""
