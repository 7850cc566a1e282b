using Granary.Abstractions.Clients;
using Granary.Abstractions.Cluster;
using Granary.Support;

namespace Granary.Chaos;

/// <summary>How often partitions of some topics were opened, by cause, as the silos' own journals tell. A journal ends with its silo: it is to be read before.</summary>
internal sealed class PartitionOpenings(ClusterClient service)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly Dictionary<(string Silo, long Id), (Guid Topic, string Cause)> _openings = [];
    private readonly HashSet<Guid> _topics = [];

    /// <summary>Of these topics; what is told of others (silos practise moves before they join) is left out.</summary>
    public async Task WatchAsync(string topic) => _topics.Add((await new LogAdmin(service.Grains).FindTopicAsync(topic))!.TopicId);

    /// <summary>The openings so far, by their causes.</summary>
    public Dictionary<string, int> ByCause => _openings.Values.Where(one => _topics.Contains(one.Topic)).CountBy(one => one.Cause).ToDictionary();

    /// <summary>Reads what a silo has in its journal.</summary>
    public async Task ReadAsync(string siloName)
    {
        var map = await service.Grains.GetGrain<IClusterMapGrain>(IClusterMapGrain.Key).WatchAsync(ClusterMap.Empty.Fingerprint, TimeSpan.Zero, CancellationToken.None).WaitAsync(s_patience);
        var member = map.Members.Single(one => one.Name == siloName);
        var silo = service.Grains.GetGrain<ISiloGrain>(ISiloGrain.KeyOf(member.Silo));
        for (long after = 0; ;)
        {
            var page = await silo.WatchAsync(after, TimeSpan.Zero, withTopics: false).WaitAsync(s_patience);
            if (page.Happenings.IsEmpty)
                return;
            foreach (var one in page.Happenings.Where(one => one.Kind == HappeningKind.PartitionOpened))
                _openings[(member.Silo.ToParsableString(), one.Id)] = (one.Partition.TopicId, one.Cause ?? "");
            after = page.Happenings[^1].Id;
        }
    }
}
