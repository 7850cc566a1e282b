using System.Collections.Concurrent;
using Granary.Abstractions.Groups;

namespace Granary.Grains.Groups;

/// <summary>The groups that are coordinated on this silo, each with a way to ask how it stands; null: nothing is kept of it. Safe for many threads.</summary>
internal sealed class HostedGroups
{
    private readonly ConcurrentDictionary<string, Func<GroupListing?>> _here = new();

    /// <summary>All that were asked for, also those of which nothing is kept.</summary>
    public IEnumerable<string> Ids => _here.Keys;

    public void Add(string groupId, Func<GroupListing?> list) => _here[groupId] = list;

    /// <summary>Forgets it, unless a later activation of the same group has taken its place.</summary>
    public void Remove(string groupId, Func<GroupListing?> list) => _here.TryRemove(KeyValuePair.Create(groupId, list));

    /// <summary>Those that exist.</summary>
    public IEnumerable<GroupListing> List() => _here.Values.Select(list => list()).OfType<GroupListing>();
}
