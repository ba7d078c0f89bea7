"""What the end-to-end tests share: the interpreters, the command under test, and recordings to look into."""
