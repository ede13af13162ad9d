"""One module per subcommand, each imported when it runs."""
