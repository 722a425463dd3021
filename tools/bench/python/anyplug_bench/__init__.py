"""What `npm run bench` measures in Python."""
