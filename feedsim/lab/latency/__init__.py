"""How long events and orders take: histograms, corrected for what a stall hides, as tables, pages and gates."""
