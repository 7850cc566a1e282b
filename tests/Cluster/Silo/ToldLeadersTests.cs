using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using Granary.Cluster.Apis;
using Granary.Gateway.Kafka.Wire;
using Granary.Support;

namespace Granary.Cluster.Silo;

/// <summary>
/// What all silos together tell clients of the leaders while partitions move: a client takes the answer with the higher epoch for the newer one, so
/// none may lack its epoch, and no two may have the same epoch with different leaders.
/// </summary>
public sealed class ToldLeadersTests : IAsyncDisposable
{
    private const int Partitions = 12;

    /// <summary>A tenth of it is usual. A drain that goes to and fro ends after 20 s.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);

    private readonly ConcurrentDictionary<(int Partition, int Epoch), int> _leaders = new();
    private readonly ConcurrentBag<string> _wrong = [];
    private readonly CancellationTokenSource _enough = new();
    private ClusterProcess _cluster = null!;
    private string _topic = "";

    public async ValueTask DisposeAsync()
    {
        await _enough.CancelAsync();
        await _cluster.DisposeAsync();
        _enough.Dispose();
    }

    [Fact]
    public async Task Metadata_OfAllSilos_WhilePartitionsMove_NamesOneLeaderPerEpoch()
    {
        _cluster = await ClusterProcess.StartAsync(new ClusterProcessOptions { Silos = 3 });
        await using (var client = await _cluster[0].ConnectAsync())
            _topic = await client.NewTopicAsync(Partitions);
        await OpenAllAsync();
        await AwaitAgreementAsync(0, 1, 2);
        var asking = Enumerable.Range(0, 3).Select(AskAsync).ToArray();

        await _cluster[2].StopAsync();
        await AwaitAgreementAsync(0, 1);
        await _cluster.StartAsync(2);
        await AwaitAgreementAsync(0, 1, 2);
        _cluster[1].Kill();
        await AwaitAgreementAsync(0, 2);

        await _enough.CancelAsync();
        await Task.WhenAll(asking);
        Assert.Empty(_wrong);
        Assert.All(Enumerable.Range(0, Partitions), partition => Assert.Contains(_leaders.Keys, told => told.Partition == partition));
        Assert.True(_leaders.Count > Partitions, "no partition has moved");

        // All that are left, at once: nobody hands over to one that stops too.
        var clock = Stopwatch.StartNew();
        Assert.All(await Task.WhenAll(_cluster[0].StopAsync(), _cluster[2].StopAsync()), code => Assert.Equal(0, code));
        Assert.True(clock.Elapsed < s_patience, $"the stop of all took {clock.Elapsed}");
    }

    /// <summary>To describe a topic asks each of its partitions.</summary>
    private async Task OpenAllAsync()
    {
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri($"{_cluster[0].HttpUrl}/topics/{_topic}"), TestContext.Current.CancellationToken);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Until those silos tell the same, each of themselves an equal share.</summary>
    private Task AwaitAgreementAsync(params int[] silos) => Eventually.HoldsAsync($"silos {string.Join(", ", silos)} tell the same", async () =>
    {
        var told = new List<(int Leader, int Epoch)[]>();
        foreach (var silo in silos)
        {
            await using var client = await _cluster[silo].ConnectAsync();
            var answer = await client.MetadataAsync(12, new MetadataRequest { Topics = [new() { Name = _topic }] });
            told.Add([.. answer.Topics[0].Partitions.OrderBy(one => one.PartitionIndex).Select(one => (one.LeaderId, one.LeaderEpoch))]);
        }

        return told.TrueForAll(told[0].SequenceEqual) && told[0].All(one => one.Epoch >= 0)
            && told[0].GroupBy(one => one.Leader).Select(group => group.Count()).ToArray() is var shares
            && shares.Length == silos.Length && shares.All(share => share == Partitions / silos.Length);
    });

    private Task AskAsync(int silo) => Task.Run(async () =>
    {
        while (!_enough.IsCancellationRequested)
        {
            try
            {
                await using var client = await _cluster[silo].ConnectAsync();
                var newest = new int[Partitions];
                while (!_enough.IsCancellationRequested)
                {
                    var answer = await client.MetadataAsync(12, new MetadataRequest { Topics = [new() { Name = _topic }] });
                    foreach (var one in answer.Topics[0].Partitions)
                        Judge(silo, one.PartitionIndex, one.LeaderId, one.LeaderEpoch, ref newest[one.PartitionIndex]);
                    await Task.Delay(5, CancellationToken.None);
                }
            }
            catch (Exception gone) when (gone is SocketException or IOException or EndOfStreamException)
            {
                // Not up now.
                await Task.Delay(5, CancellationToken.None);
            }
        }
    });

    private void Judge(int silo, int partition, int leader, int epoch, ref int newest)
    {
        if (epoch < newest)
            _wrong.Add($"silo {silo}, partition {partition}: epoch {epoch} (leader {leader}) after {newest}");
        newest = Math.Max(newest, epoch);
        if (_leaders.GetOrAdd((partition, epoch), leader) is var other && other != leader)
            _wrong.Add($"silo {silo}, partition {partition}: leader {leader} at epoch {epoch}, where somebody told {other}");
    }
}
