"""The work of the commands, without a command line: each takes plain settings and a reporter."""
