"""Reports of returned cars and their way through the approvals."""
