"""How far the two players are from an equilibrium."""
