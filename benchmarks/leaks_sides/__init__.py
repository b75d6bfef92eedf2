"""How each tool finds near duplicates: a function a task, which returns the work to be timed."""
