using System.Net.Http.Json;
using System.Text.Json;
using Granary.Gateway.Hosting;

namespace Granary.Gateway.Edge;

/// <summary>The subcommand `status`: GET /cluster of a silo or gateway, as a table: which silo leads which partitions, in which epoch.</summary>
internal static class ClusterStatus
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(10);

    public static async Task<ExitCode> PrintAsync(string httpUrl, TextWriter to)
    {
        try
        {
            using var client = new HttpClient { Timeout = s_timeout };
            var cluster = await client.GetFromJsonAsync<ClusterShown>(HealthQuestion.UrlOf(httpUrl, "/cluster"));
            await PrintAsync(cluster!, to);
            return ExitCode.Stopped;
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException or JsonException)
        {
            return StartFailures.Tell(ExitCode.Failed, $"{httpUrl}/cluster: {failure.Message}");
        }
    }

    /// <summary>One line a silo, and below it one a topic with its partitions as number@epoch.</summary>
    internal static async Task PrintAsync(ClusterShown cluster, TextWriter to)
    {
        foreach (var silo in cluster.Silos.OrderBy(silo => silo.NodeId))
        {
            await to.WriteLineAsync($"{silo.NodeId,4}  {silo.Name,-14} {silo.State,-12} {silo.Address,-24} leads {silo.Partitions.Count} partitions");
            foreach (var topic in silo.Partitions.GroupBy(partition => partition.Topic).OrderBy(topic => topic.Key, StringComparer.Ordinal))
            {
                var partitions = topic.OrderBy(partition => partition.Partition).Select(partition => $"{partition.Partition}@{partition.LeaderEpoch}");
                await to.WriteLineAsync($"        {topic.Key}: {string.Join(' ', partitions)}");
            }
        }
    }

    internal sealed record ClusterShown(IReadOnlyList<SiloShown> Silos);

    internal sealed record SiloShown(int NodeId, string Name, string Address, string State, IReadOnlyList<PartitionShown> Partitions);

    internal sealed record PartitionShown(string Topic, int Partition, int LeaderEpoch);
}
