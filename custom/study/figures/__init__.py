"""The study's figures, drawn by matplotlib and scikit-image (the extra `study`)."""
