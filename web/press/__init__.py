"""What the press office's pages show: words and tones, what was typed into the composer, versions side by side."""
