"""What may be stated about agencies, facilities, people, cameras and destinations: values and rules, no I/O."""
