"""What was typed: taken as it was meant, or refused before any work is done."""
