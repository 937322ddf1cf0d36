/** Verbs in the imperative that a subject may begin with. A verb that is missing here is to be added. */
export const VERBS: ReadonlySet<string> = new Set(
  `
  abort accept acknowledge adapt add adjust advance aggregate align allow annotate answer append apply approve arrange ask
  assemble assert assign assume attach avoid await
  back base batch begin bind block book bound break bring bump build bundle
  cache call cancel cap capture carry catch change check choose claim clarify clean clear close coalesce collapse collect
  colour combine compare compile complete compose compress compute configure confirm connect consider contain continue
  convert copy correct count cover create cross cut
  deal debug decide declare decode decompress deduplicate default defer define delay delete deliver deny depend deprecate
  derive describe detach detect determine disable discard disconnect display distinguish distribute divide do document
  double download drain draw drop duplicate
  ease edit embed emit empty enable encode end enforce ensure enter erase escape estimate evaluate evict exceed exclude
  execute exit expand expect explain export expose extend extract
  fail fall favour feed fetch fill filter find finish fit fix flag flatten flush focus fold follow forbid force
  format forward free freeze
  gather generate get give grant group guard guess guide
  halve handle harden hash have help hide highlight hint hold honour
  identify ignore implement import improve include increase index infer inform inherit initialise inject inline insert
  inspect install interpret introduce invalidate invert invoke isolate issue
  join judge jump keep kill know
  label lay lead learn leave let lift limit link list listen load locate lock log look loosen lower
  maintain make map mark match measure meet mention merge migrate mind minimise mirror mock model modify mount move
  name narrow need nest normalise note notice notify number
  obey observe obtain offer omit open order overlap override own
  pack page parse pass paste patch pause permit persist pick pin place plan point poll pool position post postpone prefer
  prefix prepare preserve press prevent print prioritise probe proceed process produce profile promise promote prompt
  propagate protect prove provide prune publish pull purge push put
  qualify query queue quit quote
  raise randomise rank reach react read rebuild recognise recommend record recover redact redirect redo reduce refer refine
  reflect refresh refuse register reject relate relax release rely remember remove rename render reopen reorder repair
  repeat replace replay reply report represent reproduce request require rerun reserve reset reshape resolve respect
  respond rest restart restore restrict resume retire retry return reuse revert review revise reword rework rewrite ring
  roll rotate round route run
  sample save say scale scan schedule scope search seed select send separate serialise serve set settle shape share shift
  shorten show shrink shut sign simplify size skip slice sort span specify speed split spread stabilise standardise start
  state stay step stop store stream strengthen stress string strip structure style submit subtract suggest sum summarise
  supply support suppress survive suspend swap swing switch synchronise
  take talk teach terminate test throttle throw tidy tie tighten time tolerate trace track train translate treat trim
  truncate trust try turn type
  undo unescape unfold unify unlink unpack unset unwrap update upgrade upload use
  validate vary verify version view visit
  wait wake walk warn watch weaken weigh widen wire withdraw word work wrap write
  yield zero
  `
    .split(/\s+/)
    .filter((verb) => verb !== ''),
);
