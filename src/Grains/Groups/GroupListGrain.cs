using System.Collections.Immutable;
using Granary.Abstractions.Groups;
using Orleans.Concurrency;

namespace Granary.Grains.Groups;

/// <summary>See <see cref="IGroupListGrain"/>. One activation on each silo that is asked; nothing is kept.</summary>
[StatelessWorker(1), Reentrant]
internal sealed class GroupListGrain(GroupParts parts) : Grain, IGroupListGrain
{
    public async Task<ImmutableArray<GroupListing>> ListAsync()
    {
        var kept = await parts.Store.ListAsync(CancellationToken.None);
        var here = parts.Hosted.List().ToDictionary(listing => listing.GroupId);
        return [.. kept.Select(listing => here.GetValueOrDefault(listing.GroupId, listing))];
    }
}
