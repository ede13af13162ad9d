"""Many recordings at once: what they are, what each becomes, what is done already, and doing the rest."""
