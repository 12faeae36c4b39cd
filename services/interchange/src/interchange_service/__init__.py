"""What do the dealers' own systems tell, and what are they told?"""
