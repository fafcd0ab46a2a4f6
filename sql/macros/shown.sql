-- An amount as people read it, for texts.
create macro ops.shown(amount) as format('{:,.2f}', cast(amount as double));
