"""What is true of orders whoever asks: no HTTP, no SQL, no clock, no chance."""
