namespace Granary.Chaos.Groups;

/// <summary>A member of a group, from its joining to its end: processes records, commits what it has processed, and writes down what it is told.</summary>
internal interface IGroupMember
{
    /// <summary>Why it gave up, or null.</summary>
    string? Failure { get; }

    /// <summary>Commits, gives back what it holds, and leaves the group.</summary>
    Task LeaveAsync();

    /// <summary>Ends without committing; and without a word to the group where its client can.</summary>
    Task KillAsync();
}
