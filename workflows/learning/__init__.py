"""The analyser learns from what people correct: lessons, versions, which one is in force, and the way back."""
