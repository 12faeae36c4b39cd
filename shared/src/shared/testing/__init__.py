"""How do tests get real servers, and databases and queues of their own?"""
