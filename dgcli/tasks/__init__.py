"""The work of the commands, without their flags: what a command, or another program, has done for it."""
