using System.Runtime.InteropServices;

namespace Granary.Support.Histories;

/// <summary>
/// A group's committed offsets are a register for each partition: whoever fetches is told the offset of a commit that no later one has overwritten.
/// Later is a commit that began after the other was acknowledged (or was told to somebody), or one of a member that was given the partition after
/// the other commit's member: an old generation never wins over a newer one, however long its commit was on the way. And no commit is
/// acknowledged that began when another member held the partition already.
/// </summary>
internal sealed class CommitCheck(Anomalies anomalies, OwnershipCheck owners)
{
    private readonly Dictionary<(int Group, int Partition), Register> _registers = [];

    public void Look(in HistoryEvent one)
    {
        switch (one.Kind)
        {
            case HistoryEventKind.Committed or HistoryEventKind.CommitRefused or HistoryEventKind.CommitUnknown:
                Commit(one);
                break;
            case HistoryEventKind.Fetched:
                RegisterOf(one).Fetches.Add(new Fetch(one.Client, one.Offset, one.Began < 0 ? one.Time : one.Began, one.Time));
                break;
        }
    }

    /// <summary>Fetches are looked at in the end only: the commit that explains one may be answered after it.</summary>
    public void Finish()
    {
        foreach (var ((group, partition), register) in _registers)
        {
            foreach (var fetch in register.Fetches.OrderBy(fetch => fetch.Answered))
                Explain(fetch, register, group, partition);
        }
    }

    private void Commit(in HistoryEvent one)
    {
        var began = one.Began < 0 ? one.Time : one.Began;
        var (since, isSuperseded) = owners.At(one.Group, one.Partition, one.Client, began);
        var isAcknowledged = one.Kind == HistoryEventKind.Committed;
        if (isAcknowledged && isSuperseded)
            anomalies.Add($"member {one.Client} of group {one.Group} committed offset {one.Offset} of partition {one.Partition} after another member was given it");
        RegisterOf(one).Writes.Add(new Write(one.Offset, began, isAcknowledged ? one.Time : long.MaxValue, since));
    }

    private void Explain(Fetch fetch, Register register, int group, int partition)
    {
        // What is certainly there before the question: nothing that these overwrite may be the answer.
        var done = register.Writes.Where(write => write.Ended < fetch.Began).ToArray();
        var candidates = register.Writes.Where(write => write.Offset == fetch.Offset && write.Began <= fetch.Answered).ToArray();
        var possible = candidates.Where(write => !done.Any(later => IsBefore(write, later))).ToArray();
        if (possible.Length > 0)
        {
            // From now on it is known to be there, whether its own client was told or not.
            register.Writes.Add(new Write(fetch.Offset, possible.Min(write => write.Began), fetch.Answered, possible.Max(write => write.Since)));
            return;
        }

        var who = $"{fetch.Client} was told that group {group} committed offset {fetch.Offset} of partition {partition}";
        if (candidates.Length == 0)
            anomalies.Add($"{who}, which nobody did");
        else
            anomalies.Add($"{who}, and before it asked offset {done.Where(later => candidates.All(write => IsBefore(write, later))).Select(later => later.Offset).DefaultIfEmpty(done[^1].Offset).Max()} was committed");
    }

    private static bool IsBefore(Write write, Write later) => write.Ended < later.Began || (write.Since >= 0 && write.Since < later.Since);

    private Register RegisterOf(in HistoryEvent one)
    {
        ref var register = ref CollectionsMarshal.GetValueRefOrAddDefault(_registers, (one.Group, one.Partition), out _);
        return register ??= new Register();
    }

    /// <param name="Offset">What is committed.</param>
    /// <param name="Began">When it was asked for.</param>
    /// <param name="Ended">When it was known to be there.</param>
    /// <param name="Since">Since when its member held the partition: stands for the generation. -1: not known.</param>
    private readonly record struct Write(long Offset, long Began, long Ended, long Since);

    private readonly record struct Fetch(int Client, long Offset, long Began, long Answered);

    private sealed class Register
    {
        /// <summary>In the beginning nothing is committed.</summary>
        public List<Write> Writes { get; } = [new Write(-1, -2, -1, -1)];

        public List<Fetch> Fetches { get; } = [];
    }
}
