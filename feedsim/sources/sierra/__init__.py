"""Chart files of Sierra Chart as the live bot writes them; `source.SierraSource` is the way in."""
