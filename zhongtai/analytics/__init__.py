"""What SQL cannot say: mathematics over what the models prepared."""
