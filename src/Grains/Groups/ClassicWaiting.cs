using Granary.Abstractions;
using Granary.Abstractions.Groups;

namespace Granary.Grains.Groups;

/// <summary>
/// The calls that wait for an answer of a <see cref="ClassicGroup"/>. An answer is held until it may leave: sealed with the save that is to come
/// first, or free to go. At most one join and one sync of each member wait, so a group's size bounds them.
/// </summary>
internal sealed class ClassicWaiting
{
    private readonly Dictionary<long, TaskCompletionSource<JoinResult>> _joins = [];
    private readonly Dictionary<long, TaskCompletionSource<SyncResult>> _syncs = [];
    private readonly List<ClassicAnswer> _held = [];
    private readonly List<ClassicAnswer> _sealed = [];
    private long _tickets;

    public Task<JoinResult> ForJoin(out long ticket) => Add(_joins, out ticket);

    public Task<SyncResult> ForSync(out long ticket) => Add(_syncs, out ticket);

    public void Hold(IReadOnlyList<ClassicAnswer> answers) => _held.AddRange(answers);

    /// <summary>What is held now leaves with <see cref="ReleaseSealed"/>.</summary>
    public void Seal()
    {
        _sealed.AddRange(_held);
        _held.Clear();
    }

    public void ReleaseSealed() => Answer(_sealed);

    public void Release()
    {
        Answer(_sealed);
        Answer(_held);
    }

    /// <summary>Answers all that wait, whatever was held for them.</summary>
    public void Refuse(ErrorCode error)
    {
        _held.Clear();
        _sealed.Clear();
        foreach (var join in _joins.Values)
            join.SetResult(JoinResult.Refuse(error, ""));
        foreach (var sync in _syncs.Values)
            sync.SetResult(SyncResult.Refuse(error));
        _joins.Clear();
        _syncs.Clear();
    }

    private void Answer(List<ClassicAnswer> answers)
    {
        foreach (var (ticket, join, sync) in answers)
        {
            if (join is not null && _joins.Remove(ticket, out var joining))
                joining.SetResult(join);
            if (sync is not null && _syncs.Remove(ticket, out var syncing))
                syncing.SetResult(sync);
        }

        answers.Clear();
    }

    private Task<T> Add<T>(Dictionary<long, TaskCompletionSource<T>> waiting, out long ticket)
    {
        ticket = ++_tickets;
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        waiting.Add(ticket, answer);
        return answer.Task;
    }
}
