using System.Net;
using Granary.Abstractions.Cluster;
using Granary.Abstractions.Groups;
using Granary.Gateway.Http.Live;
using Orleans.Runtime;

namespace Granary.Unit.Gateway.Http;

/// <summary>What is told of groups, in each state that there is.</summary>
public sealed class LiveSentencesTests
{
    private static readonly SiloMember s_teller = new(1, "silo-1", SiloAddress.New(IPAddress.Loopback, 11001, 1), [], false);

    private static readonly Dictionary<GroupState, (string Kind, string Text)> s_told = new()
    {
        [GroupState.Empty] = ("group-empty", "The group billing has no members any more: the last one left."),
        [GroupState.PreparingRebalance] = ("rebalance", "The group billing rebalances: the last one left."),
        [GroupState.CompletingRebalance] = ("group-joined", "Generation 7 of the group billing has 2 members; their leader assigns the partitions."),
        [GroupState.Stable] = ("group-stable", "The group billing is stable in generation 7 with 2 members."),
        [GroupState.Dead] = ("group-empty", "The group billing has no members any more: the last one left."),
        [GroupState.Assigning] = ("rebalance", "The group billing is being reassigned (epoch 7): the last one left."),
        [GroupState.Reconciling] = ("rebalance", "The group billing is being reassigned (epoch 7): the last one left."),
    };

    [Fact]
    public void Of_AGroupInEachState_SaysWhatItIs()
    {
        foreach (var state in Enum.GetValues<GroupState>())
        {
            var happening = new ClusterHappening { Kind = HappeningKind.GroupChanged, Group = "billing", GroupState = state, Generation = 7, Members = 2, Cause = "the last one left" };

            var entry = LiveSentences.Of(s_teller, happening, _ => "topic", null)!.Entry;

            Assert.Equal((state, s_told[state]), (state, (entry.Kind, entry.Text)));
        }
    }
}
