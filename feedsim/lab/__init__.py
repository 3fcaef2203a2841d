"""Looking at sources and at this machine: inspection, pictures, measurements."""
