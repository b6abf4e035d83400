"""Long measurements: what a claim in the documents rests on."""
