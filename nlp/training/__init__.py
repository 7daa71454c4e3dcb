"""Train, calibrate and measure the models of nlp/models with the runtime dependencies only."""
