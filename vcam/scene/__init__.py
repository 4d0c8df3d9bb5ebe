"""What stands behind the person: backdrops, the card of SAFE, and how the user names them."""
