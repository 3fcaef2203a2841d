"""One session for many readers: ring, cursors, audiences, snapshots, history."""
