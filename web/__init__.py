"""What people see: pages, the command line, later an API."""
