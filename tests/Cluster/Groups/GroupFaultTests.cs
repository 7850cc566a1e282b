using System.Collections.Immutable;
using Granary.Abstractions.Clients;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Cluster.Clients;
using Granary.Cluster.Storage;
using Granary.Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Cluster.Groups;

/// <summary>
/// A group whose store fails at random points, before or after it has written: what was answered is there when the group is opened anew, and stays; what was told
/// of a position is what was committed, and no epoch goes back.
/// </summary>
public sealed class GroupFaultTests(PrivatePostgres postgres) : IAsyncLifetime
{
    private const int Groups = 8;
    private const int Steps = 150;
    private const int OneIn = 5;

    private readonly int _seed = Random.Shared.Next(1_000_000);
    private GroupFaults _faults = null!;
    private ClusterOfTwo _cluster = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _faults = new GroupFaults(_seed);
        _cluster = await ClusterOfTwo.StartAsync(
            postgres,
            Cancellation,
            services => services.AddSingleton<IGroupStore>(provider => new FaultyGroupStore(provider.GetRequiredService<PostgresGroupStore>(), _faults)),
            services => FaultyGroupStorage.Add(services, _faults));
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task WhatWasAnswered_IsThereWhenTheGroupIsOpenedAnew_WhateverItsStoreDoes()
    {
        await new LogAdmin(_cluster.Client).CreateTopicAsync("events", partitionCount: 4);
        _faults.Begin(OneIn);
        await Task.WhenAll(Enumerable.Range(0, Groups).Select(async number =>
        {
            try
            {
                await new Life(_cluster.Client, $"group-{number}", _seed + number).RunAsync();
            }
            catch (Exception failure)
            {
                Assert.Fail($"seed {_seed}, group {number}: {failure}");
            }
        }));
        Assert.True(_faults.Count > Groups * 5, $"{_faults.Count} failures");
    }

    /// <summary>One group's random life, and what is known of it by the answers.</summary>
    private sealed class Life(IGrainFactory grains, string groupId, int seed)
    {
        private static readonly PartitionId s_partition = new(new Guid("00000000-0000-0000-0000-00000000000b"), 0);

        private readonly Random _random = new(seed);

        /// <summary>What the group may keep: one offset, or more where nobody was told which. -1: none.</summary>
        private readonly HashSet<long> _positions = [-1];

        /// <summary>Members that were answered, with the epochs that they were told; those whose leaving was not answered are left out.</summary>
        private readonly Dictionary<string, int> _members = [];
        private readonly HashSet<string> _left = [];
        private int _highestEpoch;
        private int _joins;
        private long _offset;

        private IGroupGrain Group => grains.GetGrain<IGroupGrain>(IGroupGrain.KeyOf(groupId));

        public async Task RunAsync()
        {
            for (var step = 0; step < Steps; step++)
                await StepAsync();
            await DescribeAsync();
            await FetchAsync();
        }

        private Task StepAsync() => _random.Next(10) switch
        {
            0 or 1 when _members.Count < 4 => BeatAsync($"m{++_joins}", ConsumerGroupHeartbeat.Join),
            2 when _members.Count > 0 => LeaveAsync(),
            3 or 4 or 5 => CommitAsync(),
            6 or 7 => FetchAsync(),
            8 when _members.Count > 0 => BeatAsync(Some(), null),
            _ => DescribeAsync(),
        };

        private string Some() => _members.Keys.Order().ElementAt(_random.Next(_members.Count));

        private async Task BeatAsync(string memberId, int? epoch)
        {
            var reply = await AskAsync(() => Member(memberId).HeartbeatAsync(new ConsumerGroupHeartbeat
            {
                MemberId = memberId,
                MemberEpoch = epoch ?? _members[memberId],
                RebalanceTimeout = TimeSpan.FromMinutes(1),
                SubscribedTopics = ["events"],
                OwnedPartitions = [],
            }));
            if (reply is not { Error: ErrorCode.None })
            {
                // Of a member that was answered this can only be that answers were lost since: the group is ahead of what it knows, and it joins again.
                Assert.True(reply is null || IsAway(reply.Error) || (epoch is null && reply.Error == ErrorCode.FencedMemberEpoch), $"{memberId}: {reply?.Error} {reply?.Message}");
                if (reply?.Error == ErrorCode.FencedMemberEpoch)
                    await BeatAsync(memberId, ConsumerGroupHeartbeat.Join);
                return;
            }

            Assert.True(reply.MemberEpoch >= _members.GetValueOrDefault(memberId), $"{memberId} was told epoch {reply.MemberEpoch} after {_members.GetValueOrDefault(memberId)}");
            _members[memberId] = reply.MemberEpoch;
            _highestEpoch = Math.Max(_highestEpoch, reply.MemberEpoch);
        }

        private async Task LeaveAsync()
        {
            var memberId = Some();
            var reply = await AskAsync(() => Member(memberId).HeartbeatAsync(new ConsumerGroupHeartbeat { MemberId = memberId, MemberEpoch = ConsumerGroupHeartbeat.Leave }));
            _members.Remove(memberId);
            if (reply?.Error is ErrorCode.None or ErrorCode.UnknownMemberId)
                _left.Add(memberId);
        }

        private async Task CommitAsync()
        {
            var memberId = _members.Count == 0 ? "" : Some();
            var caller = new GroupCaller(memberId, null, _members.GetValueOrDefault(memberId, -1));
            var offset = ++_offset;
            var answers = await AskAsync(async () => new Answers(await Group.CommitAsync(new CommitRequest(caller, [new OffsetToCommit(s_partition, offset, -1, "")]))));
            var answer = answers is null ? ErrorCode.NetworkException : Assert.Single(answers.Errors);
            if (answer == ErrorCode.None)
                _positions.Clear();
            if (answer == ErrorCode.None || IsAway(answer))
                _positions.Add(offset);
        }

        private async Task FetchAsync()
        {
            if (await AskAsync(() => Group.FetchOffsetsAsync([s_partition])) is not { Error: ErrorCode.None } told)
                return;
            var position = told.Offsets.Select(one => one.Offset).SingleOrDefault(-1);
            Assert.True(_positions.Contains(position), $"{position} is kept, and not one of {string.Join(", ", _positions)}");

            // Whoever was told it may go by it: from now on it is the position, until the next commit.
            _positions.Clear();
            _positions.Add(position);
        }

        private async Task DescribeAsync()
        {
            if (await AskAsync(() => Group.DescribeAsync(withLags: false)) is not { Error: ErrorCode.None, Consumer: { } told })
                return;
            Assert.True(told.GroupEpoch >= _highestEpoch, $"the group is at epoch {told.GroupEpoch}, and {_highestEpoch} was told");
            var there = told.Members.ToDictionary(one => one.Member.MemberId, one => one.Member.MemberEpoch);
            Assert.All(_members, member => Assert.True(there.TryGetValue(member.Key, out var epoch) && epoch >= member.Value, $"{member.Key} was told epoch {member.Value}, and is not there"));
            Assert.DoesNotContain(there.Keys, _left.Contains);
        }

        private IGroupMemberGrain Member(string memberId) => grains.GetGrain<IGroupMemberGrain>(IGroupMemberGrain.KeyOf(groupId, memberId));

        private static bool IsAway(ErrorCode error) => error is ErrorCode.NotCoordinator or ErrorCode.CoordinatorNotAvailable or ErrorCode.CoordinatorLoadInProgress;

        /// <summary>Null: the call failed as such, as where it came to an activation that ends.</summary>
        private static async Task<T?> AskAsync<T>(Func<Task<T>> ask)
            where T : class
        {
            try
            {
                return await ask();
            }
            catch (Exception lost) when (lost is OrleansException or TimeoutException)
            {
                return null;
            }
        }

        private sealed record Answers(ImmutableArray<ErrorCode> Errors);
    }
}
