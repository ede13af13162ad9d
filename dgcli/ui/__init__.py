"""What people look at outside a stream: messages, progress bars, tables."""
