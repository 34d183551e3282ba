"""What an agent sees and does, whatever the game."""
