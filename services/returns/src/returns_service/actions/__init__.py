"""What changes applications, and only this: each action writes its rows and tells of them."""
