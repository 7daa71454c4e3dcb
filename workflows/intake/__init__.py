"""In: raw arrivals stored first, cursors committed with the items, files row by row, quarantine for the rest."""
