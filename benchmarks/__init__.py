"""One script a question; see README.md."""
