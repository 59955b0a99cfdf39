"""What stands behind the figures: the lines of cameras and deliveries, facts that were lost, agreed maintenance."""
