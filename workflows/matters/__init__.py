"""Hot issues: messages placed into matters as they come, what people make of them, figures and sentences of each."""
