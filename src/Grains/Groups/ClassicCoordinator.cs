using System.Collections.Immutable;
using Granary.Abstractions;
using Granary.Abstractions.Groups;

namespace Granary.Grains.Groups;

/// <summary>
/// The part of a group's grain that speaks the classic protocol: asks the machine, and hands out what it has answered, at once or after what changed with it
/// has been saved. Runs on its grain's thread.
/// </summary>
/// <param name="save">Saves the group; false where the activation has ended instead.</param>
/// <param name="settled">The group may stand otherwise than before.</param>
internal sealed class ClassicCoordinator(string groupId, ClassicGroup group, GroupParts parts, Func<Task<bool>> save, Action settled)
{
    private static readonly TimeSpan s_fullPause = TimeSpan.FromMinutes(1);

    private readonly ClassicWaiting _waiting = new();
    private TimeSpan? _toldFull;
    private bool _unsaved;
    private bool _ended;

    public ClassicGroup Group => group;

    /// <summary>Ends when nothing that was answered waits for being saved.</summary>
    public Task Saving { get; private set; } = Task.CompletedTask;

    public Task<JoinResult> JoinAsync(JoinRequest request, string newMemberId)
    {
        if (ClassicJoinCheck.FullBy(group.Members, group.Pending, request, parts.Options) is { } limit)
            Tell(limit);
        var answer = _waiting.ForJoin(out var ticket);
        group.Join(ticket, request, newMemberId, parts.Now);
        Settle();
        return answer;
    }

    public Task<SyncResult> SyncAsync(SyncRequest request)
    {
        var answer = _waiting.ForSync(out var ticket);
        group.Sync(ticket, request, parts.Now);
        Settle();
        return answer;
    }

    public ErrorCode Heartbeat(GroupCaller caller) => group.Heartbeat(caller, parts.Now);

    public ImmutableArray<ErrorCode> Leave(ImmutableArray<LeavingMember> members)
    {
        var now = parts.Now;
        ImmutableArray<ErrorCode> answers = [.. members.Select(member => group.Leave(member, now))];
        Settle();
        return answers;
    }

    public void Tick()
    {
        group.Tick(parts.Now);
        Settle();
    }

    /// <summary>Saves the group as it was taken over from the other protocol.</summary>
    public void TakeOver()
    {
        _unsaved = true;
        Settle();
    }

    /// <summary>Nothing is answered from here any more; whoever waits is told this.</summary>
    public void End(ErrorCode error)
    {
        _ended = true;
        group.End(error);
        group.TakeAnswers();
        _waiting.Refuse(error);
    }

    /// <summary>A JoinGroup's answer has no place for the name of a limit; clients that are refused come again and again.</summary>
    private void Tell((string Setting, long Value) limit)
    {
        if (_toldFull is { } before && parts.Now - before < s_fullPause)
            return;
        _toldFull = parts.Now;
        parts.Diagnostics.Full(groupId, limit.Setting, limit.Value);
    }

    private void Settle()
    {
        _unsaved |= group.TakeChanged();
        _waiting.Hold(group.TakeAnswers());
        if (_unsaved && Saving.IsCompleted)
            Saving = SaveAsync();
        else if (Saving.IsCompleted)
            _waiting.Release();
        settled();
    }

    private async Task SaveAsync()
    {
        while (_unsaved && !_ended)
        {
            _unsaved = false;
            _waiting.Seal();
            if (!await save())
                return;
            _waiting.ReleaseSealed();
        }

        _waiting.Release();
    }
}
