"""What happens without anybody asking.

Here: sensors on files and runs, schedules, notices of failures and who is told.
Not here: what a refresh does (refreshes/).
Imports: `refreshes` and what lies below it.
"""
